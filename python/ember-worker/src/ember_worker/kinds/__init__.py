"""What kinds of functions need beside PySpark's own code, a file each."""
