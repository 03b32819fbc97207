-- What {day:N}, {ago:N} and {anniversaries:N} of tests/load/rules stand for, N from -400 to 400, and the moment they are of.
select m.now, jsonb_object_agg(p.name, p.value)
from (select clock_timestamp() as now) m
cross join lateral (
    select 'day:' || n as name, to_char((m.now at time zone 'Asia/Kuala_Lumpur')::date + n, 'YYYY-MM-DD') as value from generate_series(-400, 400) n
    union all
    select 'ago:' || n, (m.now - make_interval(hours => 24 * n))::text from generate_series(0, 400) n
    union all
    -- In years that are no leap years 29 February is kept on 1 March.
    select 'anniversaries:' || n, (
        select string_agg(x.day, ', ') from (
            select to_char(d, 'FMMMDD') as day from generate_series(0, n - 1) i, lateral (select (m.now at time zone 'Asia/Kuala_Lumpur')::date + i as d) y
            union
            select '229' from generate_series(0, n - 1) i
            where to_char((m.now at time zone 'Asia/Kuala_Lumpur')::date + i, 'MMDD') = '0301'
                and to_char((m.now at time zone 'Asia/Kuala_Lumpur')::date + i - 1, 'MMDD') <> '0229'
        ) x)
    from generate_series(1, 60) n
) p
group by m.now
