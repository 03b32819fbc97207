-- Tests own the clock: rules that depend on the time read it here.

create or replace function private.clock()
returns timestamptz
language sql volatile parallel safe
set search_path = ''
as $$ select coalesce(nullif(current_setting('tests.now', true), '')::timestamptz, clock_timestamp()) $$;

create function tests.set_clock(p_now timestamptz)
returns void
language plpgsql volatile
as $$
begin
    perform set_config('tests.now', p_now::text, true);
end
$$;
