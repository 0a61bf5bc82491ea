"""Inner loops compiled by numba, which nothing else imports."""
