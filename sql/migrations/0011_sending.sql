-- Leases carry which token they hold, so that a late refusal of a replaced token does not suspend the number.

drop function if exists worker.lease_numbers(uuid, integer, integer, integer);
drop function if exists worker.suspend_number(uuid, text);
