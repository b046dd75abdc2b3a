"""The teacher's look across submissions and grades; decides nothing by itself."""
