"""Every workload, in the order of the table."""

from typing import Final

from suite.workload import Workload
from suite.workloads.add_one import ADD_ONE
from suite.workloads.business_rules import BUSINESS_RULES
from suite.workloads.data_mask import DATA_MASK
from suite.workloads.encode_decode import ENCODE_DECODE
from suite.workloads.extract_fields import EXTRACT_FIELDS
from suite.workloads.normalize_text import NORMALIZE_TEXT
from suite.workloads.parse_date import PARSE_DATE
from suite.workloads.parse_json import PARSE_JSON
from suite.workloads.text_transform import TEXT_TRANSFORM
from suite.workloads.three_at_once import THREE_AT_ONCE
from suite.workloads.url_parse import URL_PARSE
from suite.workloads.validate_format import VALIDATE_FORMAT

WORKLOADS: Final[dict[str, Workload]] = {
    workload.name: workload
    for workload in (
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
        *ADD_ONE,
        *THREE_AT_ONCE,
    )
}

QUICK: Final = ("extract_fields", "validate_format", "add_one_pandas_1m")
