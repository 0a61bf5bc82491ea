"""The questions that a dissection answers, beyond its tables: a file for each kind, mixed into `Dissection`."""
