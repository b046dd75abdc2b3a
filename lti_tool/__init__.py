"""The tool a school plugs into its LMS over LTI 1.3. Floors and rules: docs/adr/0001."""
