"""Every workload, in the order of the table."""

from typing import Final

from suite.workload import Workload
from suite.workloads.add_one import ADD_ONE
from suite.workloads.business_rules import BUSINESS_RULES
from suite.workloads.data_mask import DATA_MASK
from suite.workloads.encode_decode import ENCODE_DECODE
from suite.workloads.extract_fields import EXTRACT_FIELDS
from suite.workloads.fixed_costs import FIXED_COSTS
from suite.workloads.groups import OVER_GROUPS
from suite.workloads.identity import IDENTITY
from suite.workloads.lanes import LANES
from suite.workloads.normalize_text import NORMALIZE_TEXT
from suite.workloads.parse_date import PARSE_DATE
from suite.workloads.parse_json import PARSE_JSON
from suite.workloads.parts import PARTS
from suite.workloads.table_function import TABLE_FUNCTIONS
from suite.workloads.text_transform import TEXT_TRANSFORM
from suite.workloads.three_at_once import THREE_AT_ONCE
from suite.workloads.upper import UPPER
from suite.workloads.url_parse import URL_PARSE
from suite.workloads.validate_format import VALIDATE_FORMAT

TEN: Final = (
    EXTRACT_FIELDS,
    NORMALIZE_TEXT,
    PARSE_DATE,
    URL_PARSE,
    VALIDATE_FORMAT,
    ENCODE_DECODE,
    BUSINESS_RULES,
    TEXT_TRANSFORM,
    DATA_MASK,
    PARSE_JSON,
)
LIGHT: Final = (*ADD_ONE, *TABLE_FUNCTIONS, UPPER, *THREE_AT_ONCE, *IDENTITY)

WORKLOADS: Final[dict[str, Workload]] = {
    workload.name: workload
    for workload in (*TEN, *LIGHT, *PARTS, *FIXED_COSTS, *OVER_GROUPS, *LANES)
}

GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "ten": tuple(workload.name for workload in TEN),
    "light": tuple(workload.name for workload in LIGHT),
    "parts": tuple(workload.name for workload in PARTS),
    "fixed": tuple(workload.name for workload in FIXED_COSTS),
    "groups": tuple(workload.name for workload in OVER_GROUPS),
    "lanes": tuple(workload.name for workload in LANES),
}

QUICK: Final = ("validate_format", "add_one_row_1m", "identity_arrow_1m")


def named(name: str) -> tuple[str, ...]:
    """Give the workloads that a name stands for: those of a group, or the one of that name."""
    return GROUPS.get(name, (name,))
