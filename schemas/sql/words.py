"""The functions, types and operators that a cohort query may use."""

AGGREGATES = frozenset({"min", "max", "sum", "avg", "bool_or", "bool_and", "every", "string_agg"})
RANKINGS = frozenset({"row_number", "rank", "dense_rank"})
NEIGHBOURS = frozenset({"lag", "lead", "first_value", "last_value"})
DATE_PARTS = frozenset({"date_part", "extract", "date_trunc"})
ROUNDINGS = frozenset({"floor", "ceil", "ceiling", "round", "trunc"})
TEXTS = frozenset({"lower", "upper", "btrim", "ltrim", "rtrim", "length", "initcap"})
CUTS = frozenset({"left", "right", "substring", "substr"})
JOINED = frozenset({"concat", "concat_ws"})
MOMENTS = frozenset({"now"})
SPECIAL = frozenset(
    {
        "count",
        "age",
        "abs",
        "make_date",
        "to_char",
        "width_bucket",
        "overlaps",
        "mod",
        "power",
        "to_date",
        "replace",
        "split_part",
    }
)
FUNCTIONS = (
    AGGREGATES | RANKINGS | NEIGHBOURS | DATE_PARTS | ROUNDINGS | TEXTS | CUTS | JOINED | MOMENTS | SPECIAL
)  # fmt: skip

COARSE_FIELDS = frozenset(
    {"year", "quarter", "month", "decade", "century", "week", "dow", "isodow", "hour", "isoyear"},
)
FINE_FIELDS = frozenset({"day", "doy", "epoch"})
OF_MOMENTS = frozenset({"week", "dow", "isodow", "isoyear", "doy"})
OF_TIMES = frozenset({"hour"})
COARSE_STEPS = frozenset({"year", "quarter", "month", "week", "decade", "century"})
FINE_STEPS = frozenset({"day"})
COARSE_FORMATS = frozenset(
    {"YYYY", "YYYY-MM", "YYYYMM", "MM", "Mon", "Month", "YYYY-Q", 'YYYY-"Q"Q', "Q", "Mon YYYY", "IYYY-IW", "WW", "IW"},
)

TIME_TYPES = frozenset({"date", "timestamp", "timestamptz", "interval"})
TEXT_TYPES = frozenset({"text", "varchar", "bpchar"})
NUMBER_TYPES = frozenset({"int4", "int8", "numeric", "float8"})
TYPES = TIME_TYPES | TEXT_TYPES | NUMBER_TYPES | {"bool"}

COMPARISONS = frozenset({"=", "<>", "<", ">", "<=", ">="})
SUMS = frozenset({"+", "-"})
PATTERNS = frozenset({"~~", "!~~", "~~*", "!~~*"})
