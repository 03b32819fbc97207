-- One migrator at a time; released with the session.
select pg_advisory_lock($1)
