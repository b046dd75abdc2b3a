"""What every context needs and none owns: database, jobs, time, errors, HTTP in and out."""
