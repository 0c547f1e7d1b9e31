"""The decisions behind the operators' commands, without any service."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from bus.admin.lag import PartitionLag
from bus.admin.topic_admin import LiveTopic
from client.ops.account import Ledger, Refused, Warrant
from client.ops.consent import warrant
from client.ops.copies import Passage, Span, refuse_consumer, span
from client.ops.letters import Selection, heaps, letter_of, redriven_headers, standing
from client.ops.moments import moment
from client.ops.rubbish import Finding, FolderStore, Stored, names_in, rubbish, sweep
from client.ops.rules import beyond
from client.ops.topic_plan import plan
from schemas.operations import ActDone, ActFailed, ActIntended, LetterPlace
from schemas.topics import Acl, Topic, acls, all_topics

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
PLACES = tuple(LetterPlace(topic="dlq.project", partition=0, offset=offset) for offset in range(4))


def record(offset=7, **headers):
    told = {"tf_code": "retries_exhausted", "tf_origin": "project.commands/2/5", "ce_id": "e1", "ce_type": "t.v1"}
    return SimpleNamespace(
        topic="dlq.project",
        partition=0,
        offset=offset,
        timestamp=NOW.timestamp() * 1000,
        key=b"p1",
        value=b"{}",
        headers=[(name.replace("_", "-", 1) if name.startswith("tf") else name, value.encode()) for name, value in
                 (told | headers).items()],
    )  # fmt: skip


def act(act_id, letters=(), action="redrive", **more):
    named = {"act_id": act_id, "operator": "ada", "action": action, "target": "dead letters of project"}
    return ActIntended(**named, reason="Fixed.", count=len(letters), letters=letters, **more)


def end(begun, kind=ActDone, **more):
    return kind(act_id=begun.act_id, operator="ada", action=begun.action, target=begun.target, count=1, **more)


def ledger(*events):
    kept = Ledger()
    for event in events:
        kept.add(event, NOW)
    return kept


class TestLedger:
    def test_the_first_act_to_name_a_letter_has_it(self):
        kept = ledger(act("a1", PLACES[:2]), act("a2", PLACES))
        assert kept.letters_of("a1") == set(PLACES[:2])
        assert kept.letters_of("a2") == set(PLACES[2:])

    def test_a_letter_may_be_taken_again_on_purpose(self):
        assert ledger(act("a1", PLACES), act("a2", PLACES, again=True)).letters_of("a2") == set(PLACES)

    def test_an_act_that_failed_lets_go_of_its_letters(self):
        begun = act("a1", PLACES)
        assert ledger(begun, end(begun, ActFailed, error="ConnectionError"), act("a2", PLACES)).letters_of("a2") == set(
            PLACES
        )

    @pytest.mark.parametrize(
        ("action", "ended", "expected"),
        [("redrive", True, "redriven"), ("drop", True, "dropped"), ("redrive", False, "unfinished")],
    )
    def test_a_letters_standing_is_that_of_the_act_that_has_it(self, action, ended, expected):
        begun = act("a1", PLACES[:1], action)
        kept = ledger(begun, *([end(begun)] if ended else []))
        assert standing(letter_of(record(offset=0)), kept) == expected
        assert standing(letter_of(record(offset=1)), kept) == "open"

    @given(st.lists(st.tuples(st.sets(st.sampled_from(PLACES)), st.booleans(), st.booleans()), max_size=8))
    def test_whatever_operators_do_at_once_each_letter_is_with_one_act_at_most(self, story):
        acts = [act(f"a{number}", tuple(letters), again=again) for number, (letters, again, _) in enumerate(story)]
        failed = [
            end(begun, ActFailed, error="OSError") for begun, (_, _, fails) in zip(acts, story, strict=True) if fails
        ]
        kept = ledger(*acts, *failed)
        holders = [begun.act_id for begun in acts for letter in PLACES if letter in kept.letters_of(begun.act_id)]
        assert len(holders) == len(kept.held)
        assert not {one.act_id for one in failed} & set(holders)


class TestLetters:
    def test_a_redriven_record_has_its_own_headers_and_those_that_say_where_it_comes_from(self):
        letter = letter_of(record(tf_group="project", tf_attempts="5"))
        assert redriven_headers(letter, "ada") == [
            ("ce_id", b"e1"),
            ("ce_type", b"t.v1"),
            ("tf-origin", b"project.commands/2/5"),
            ("tf-redriven-by", b"ada"),
            ("tf-redrive-count", b"1"),
        ]

    def test_each_redrive_is_counted(self):
        letter = letter_of(with_header(record(), "tf-redrive-count", b"3"))
        assert dict(redriven_headers(letter, "ada"))["tf-redrive-count"] == b"4"

    @pytest.mark.parametrize("wanted", ["e1", "project.commands/2/5", "dlq.project/0/7"])
    def test_a_letter_answers_to_its_event_its_origin_and_its_own_place(self, wanted):
        assert Selection(ids=(wanted,)).has(letter_of(record()))
        assert not Selection(ids=(wanted,), code="malformed").has(letter_of(record()))
        assert not Selection(ids=("e2",)).has(letter_of(record()))

    def test_letters_are_heaped_by_what_went_wrong(self):
        found = heaps(map(letter_of, (record(1), record(2, ce_type="u.v1"), record(3))))
        assert [(heap.type_, len(heap.letters)) for heap in found] == [("t.v1", 2), ("u.v1", 1)]

    def test_what_has_no_bytes_cannot_be_redriven(self):
        assert letter_of(record()).can_be_redriven
        assert not letter_of(record(tf_code="unreadable_record")).can_be_redriven


def with_header(made, name, value):
    made.headers.append((name, value))
    return made


class TestTopics:
    wanted = Topic("project.events", (), (), partitions=3)
    live = LiveTopic("project.events", 3, wanted.retention_ms, wanted.max_bytes)

    def changes(self, *live, held=None, **options):
        return [(step.change, step.topic) for step in plan((self.wanted,), live, held or {}, **options)]

    def test_a_broker_that_is_as_it_should_be_needs_nothing(self):
        assert self.changes(self.live) == []
        every = all_topics(("amber", "birch"))
        assert plan(every, [LiveTopic(t.name, t.partitions, t.retention_ms, t.max_bytes) for t in every], {}) == []

    def test_what_is_missing_is_created_and_a_wrong_limit_set(self):
        assert self.changes() == [("create", "project.events")]
        assert self.changes(LiveTopic("project.events", 3, 1000, self.wanted.max_bytes)) == [
            ("set limits", "project.events")
        ]

    @pytest.mark.parametrize(("partitions", "grow", "change"), [(1, False, "leave"), (1, True, "add partitions"),
                                                                 (9, True, "leave")])  # fmt: skip
    def test_partitions_are_added_when_asked_and_never_taken_away(self, partitions, grow, change):
        live = LiveTopic("project.events", partitions, self.wanted.retention_ms, self.wanted.max_bytes)
        assert self.changes(live, grow=grow) == [(change, "project.events")]

    @pytest.mark.parametrize(
        ("records", "prune", "change"), [(0, False, "leave"), (0, True, "delete"), (1, True, "leave")]
    )
    def test_a_stranger_is_deleted_only_when_asked_and_empty(self, records, prune, change):
        stranger = LiveTopic("trust.gone.events", 1, -1, 9)
        assert self.changes(self.live, stranger, held={"trust.gone.events": records}, prune=prune) == [
            (change, "trust.gone.events")
        ]

    def test_an_operators_private_copies_are_nobodys_business(self):
        assert self.changes(self.live, LiveTopic("replay.inquiry-7", 3, 9, 9), prune=True) == []


def test_rules_that_are_missing_and_rules_that_are_strange_are_told_apart():
    wanted = frozenset(acls(("amber",)))
    strange, lost = Acl("mallory", "READ", "TOPIC", "project.events"), next(iter(wanted))
    assert beyond(wanted, (wanted - {lost}) | {strange}) == ((lost,), (strange,))


class TestReplay:
    def test_offsets_are_a_range_with_both_ends(self):
        passage = Passage("t", spans=(span("0:5-7"), span("1:0-0")))
        read = [(0, 4), (0, 5), (0, 7), (0, 8), (1, 0), (1, 1)]
        assert [passage.has(SimpleNamespace(partition=p, offset=o)) for p, o in read] == [
            False, True, True, False, True, False,
        ]  # fmt: skip
        assert span("0:5-7") == Span(0, 5, 7)

    @pytest.mark.parametrize("wrong", ["5-7", "0:7-5", "0:5", "x:1-2", ""])
    def test_what_is_no_range_is_said_so(self, wrong):
        with pytest.raises(ValueError, match="PARTITION:FIRST-LAST"):
            span(wrong)

    def test_key_type_and_time_narrow_it_down(self):
        passage = Passage("t", until=NOW, key="p1", type_="t.v1")
        before = record()
        before.timestamp -= 1
        assert passage.has(before)
        assert not passage.has(record())
        assert not Passage("t", key="p2").has(before)
        assert not Passage("t", type_="u.v1").has(before)

    @pytest.mark.parametrize(("consumer", "remedy"), [("cohort", "dlq redrive"), ("gateway", "ops rebuild")])
    def test_no_consumer_is_replayed_to(self, consumer, remedy):
        with pytest.raises(Refused, match=remedy):
            refuse_consumer(consumer)


class TestRubbish:
    manifest = b'{"update": {"manifest": {"prefix": "runs/r1/u1", "parts": [{"index": 0}]}}}'

    def test_a_manifest_keeps_its_object_for_ever_wherever_it_stands(self):
        assert list(names_in(self.manifest, NOW)) == ["runs/r1/u1"]
        assert list(names_in(b"[" + self.manifest + b"]", NOW)) == ["runs/r1/u1"]

    @pytest.mark.parametrize(
        ("expires", "named"),
        [("2026-11-21T09:00:01Z", ["runs/r1/u2"]), ("2026-11-21T08:59:59Z", []), ("soon", ["runs/r1/u2"])],
    )
    def test_leave_to_upload_keeps_an_object_until_it_expires(self, expires, named):
        grant = f'{{"upload": {{"prefix": "runs/r1/u2", "urls": [], "expires_at": "{expires}"}}}}'
        assert list(names_in(grant.encode(), NOW)) == named

    @pytest.mark.parametrize("payload", [None, b"", b"garbage", b"\xff", b'"prefix"', b'{"prefix": 7}', b"[1, 2]"])
    def test_what_is_not_json_names_nothing(self, payload):
        assert list(names_in(payload, NOW)) == []

    def test_only_what_is_old_and_unnamed_is_rubbish(self):
        old, new = NOW - timedelta(days=8), NOW - timedelta(days=1)
        stored = [Stored("named", 1, 1, old), Stored("fresh", 1, 1, new), Stored("left", 1, 1, old)]
        assert [one.prefix for one in rubbish(stored, frozenset({"named"}), NOW - timedelta(days=7))] == ["left"]

    async def test_most_of_a_store_is_not_removed_unless_somebody_says_that_it_is_right(self, tmp_path):
        stored = tuple(Stored(f"o{number}", 1, 1, NOW) for number in range(3))
        assert not Finding(stored[:1], 2).is_most
        with pytest.raises(Refused, match="2 of 3 objects would go"):
            await sweep(None, FolderStore(tmp_path), Finding(stored[:2], 3), Warrant("ada", "The disk is full."))

    def test_an_object_that_is_written_to_meanwhile_stays(self, tmp_path):
        store = FolderStore(tmp_path)
        (tmp_path / "runs/r1").mkdir(parents=True)
        (tmp_path / "runs/r1/00000").write_bytes(b"abc")
        (listed,) = store.objects()
        (tmp_path / "runs/r1/00001").write_bytes(b"de")
        assert not store.remove(listed)
        (listed,) = store.objects()
        assert (listed.prefix, listed.parts, listed.size) == ("runs/r1", 2, 5)
        assert store.remove(listed)
        assert list(tmp_path.iterdir()) == []


class TestLag:
    def test_seconds_are_those_of_the_first_unread_record(self):
        lag = PartitionLag("cohort", 1, "cohort.commands", 0, position=3, end=5, waiting_since=NOW)
        assert (lag.records, lag.seconds(NOW + timedelta(seconds=90))) == (2, 90.0)

    def test_who_is_not_behind_has_not_waited_and_who_cannot_be_timed_says_so(self):
        assert PartitionLag("cohort", 1, "cohort.commands", 0, 5, 5).seconds(NOW) == 0.0
        assert PartitionLag("cohort", 1, "cohort.commands", 0, 4, 5).seconds(NOW) is None


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("15m", NOW - timedelta(minutes=15)),
        ("1.5h", NOW - timedelta(hours=1.5)),
        ("7d", NOW - timedelta(days=7)),
        ("2026-11-20T10:00Z", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("2026-11-20T10:00+02:00", datetime(2026, 11, 20, 8, tzinfo=UTC)),
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
    ],
)
def test_a_time_is_a_date_or_how_long_ago(given, meant):
    assert moment(given, NOW) == meant


class TestWarrant:
    def test_without_yes_there_is_none(self):
        assert warrant(False, "A reason.", "ada") is None

    def test_yes_needs_a_reason(self):
        with pytest.raises(typer.BadParameter, match="say why"):
            warrant(True, "  ", "ada")

    def test_who_does_not_say_goes_by_the_login_name(self, monkeypatch):
        monkeypatch.setenv("LOGNAME", "carol")
        assert warrant(True, "A reason.", "").operator == "carol"
