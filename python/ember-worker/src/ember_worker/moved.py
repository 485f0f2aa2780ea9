"""What stands in another module of PySpark since 4.0 than in 3.5, by the names that both have."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pyspark

_OLD = pyspark.__version__.startswith("3.")

#: Modules.
broadcast: Any = import_module("pyspark.broadcast" if _OLD else "pyspark.core.broadcast")
#: Classes.
SparkFiles: Any = import_module("pyspark.files" if _OLD else "pyspark.core.files").SparkFiles
PythonEvalType: Any = import_module("pyspark.rdd" if _OLD else "pyspark.util").PythonEvalType
