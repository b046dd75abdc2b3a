"""`python -m lti_tool.cli`: how the demo starts its own parts, in the same virtual environment."""

from lti_tool.cli import main

main()
