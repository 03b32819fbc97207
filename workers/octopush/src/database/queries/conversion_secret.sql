select worker.conversion_secret($1) as secret, extract(epoch from clock_timestamp())::bigint as now
