import asyncio, json, os, subprocess, sys
import pytest
from tests.integration.test_bus import *
from tests.integration.test_bus import world, add, counter, raw, send

ODD = '''
import asyncio, json, sys
from aiokafka import AIOKafkaProducer
class Odd(str):
    def encode(self, *_): return b"\\xff\\xfe"
async def main():
    login = json.loads(sys.argv[1])
    async with AIOKafkaProducer(**login) as p:
        await p.send_and_wait("counter.commands", b"odd", key=b"odd", headers=[(Odd("x"), b"1")], partition=0)
asyncio.run(main())
'''

async def test_odd(world, kafka):
    mine = counter()
    done = subprocess.run([sys.executable, "-c", ODD, json.dumps(kafka.credentials())], env=os.environ | {"AIOKAFKA_NO_EXTENSIONS": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    await send(world.producer, [raw(add(mine, 1))], partition=0)
    await world.until("select count(*) = 1 from effect where counter_id = $1", mine)
