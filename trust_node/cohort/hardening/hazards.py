"""Why functions are taken away, by what they could do; the first pattern that fits a name tells."""

import re

HAZARDS = (
    (r"^(pg_read|pg_ls_|pg_stat_file|lo_|loread|lowrite|pg_current_logfile)", "read or write the server's files"),
    (r"(_to_xml|^ts_stat|^ts_rewrite|^xpath|^database_to|^cursor_to)", "execute SQL that is given as text"),
    (r"^(set_config|current_setting|pg_reload|pg_rotate|pg_settings|pg_show)", "lift or read the server's settings"),
    (r"^(pg_sleep|pg_advisory|pg_try_adv|pg_terminate|pg_cancel|pg_promote|pg_wal|pg_switch|pg_backup|pg_create_|pg_drop_)",
     "hold, wait for or end what others do"),
    (r"^(pg_notify|pg_logical|pg_export|pg_replication|pg_create|txid_|pg_current_|pg_snapshot|pg_xact|nextval|setval|currval|lastval)",
     "leave a mark outside the query, or read one"),
    (r"^(generate_series|repeat|lpad|rpad|random|setseed|gen_random|regexp|textregex|similar|substring)",
     "use up memory or time, or draw samples"),
    (r"(agg$|^json|^jsonb|^row_to|^array|^string_|^xml|^to_json)", "fold many values into one"),
    (r"^(has_|pg_get_|to_reg|format_type|obj_|col_desc|shobj|inet_|version$|current_|session_user|getpgusername|pg_stat|pg_db|pg_rel|pg_table|pg_total|pg_size|pg_is)",
     "tell of the catalogue, the server or its users"),
)  # fmt: skip
REST = "do what no accepted query needs"


def purpose(signature: str) -> str:
    """Return what the function could do, to say why it is taken away."""
    name = signature.partition("(")[0].strip('"')
    return next((why for pattern, why in HAZARDS if re.search(pattern, name)), REST)
