"""The blocks that no test runs, by their page and how they begin, each with the reason."""

#: Read by test_blocks.py: a block is run or is here, and nothing is here that is not on its page.
NOT_RUN = {
    (".github/ISSUE_TEMPLATE/wrong-answer-or-crash.md", ""): "a form: who fills it in writes it",
    ("README.md", "ci/build "): (
        "it builds what the other blocks are run with; the step `demo` of ci/test runs ci/demo"
    ),
    ("docs/policy.md", "PYTHONPATH="): (
        "Hillstrom's file is not the repository's; the step `policy-evaluation` runs it without"
    ),
    ("docs/how-to/environments.md", "uv venv"): (
        "it fetches a Python and a PySpark; tests/environments runs a job in such an environment"
    ),
    ("docs/how-to/environments.md", "conda create"): "there is no conda where the tests run",
    ("docs/how-to/environments.md", "environment/bin/venv-pack"): (
        "it needs a cluster; tests/environments and examples/archive.sh run it in one"
    ),
    ("examples/kubernetes/README.md", "spark-submit"): "there is no Kubernetes, as the page says",
    ("examples/yarn.md", "spark-submit"): "there is no YARN, as the page says",
}
