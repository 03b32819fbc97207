-- Whether what transaction $1 (its 32 bits) committed is seen by now. The upper bits are those of the nearest number.
select pg_catalog.pg_visible_in_snapshot(
  (
    case
      when n.guess > n.xmax + 2147483648 then n.guess - 4294967296
      when n.guess < n.xmax - 2147483648 then n.guess + 4294967296
      else n.guess
    end
  )::text::xid8,
  n.snapshot
)
from (
  select
    s.snapshot,
    pg_catalog.pg_snapshot_xmax(s.snapshot)::text::bigint as xmax,
    ((pg_catalog.pg_snapshot_xmax(s.snapshot)::text::bigint >> 32) << 32) | $1 as guess
  from pg_catalog.pg_current_snapshot() as s (snapshot)
) as n
