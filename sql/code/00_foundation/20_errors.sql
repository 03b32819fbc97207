-- The one place that raises errors for clients. Codes live in octopush.error_catalog() (docs/error-codes.md).
-- Called by every RPC; workers parse the same JSON.

create or replace function private.raise_error(p_code text, p_details jsonb default null)
returns void
language plpgsql stable
set search_path = ''
as $$
declare
    v_entry record;
begin
    select c.code, c.http_status, c.message, c.hint into v_entry from octopush.error_catalog() c where c.code = p_code;
    if not found then
        raise exception 'error code % is not in the catalogue', p_code;
    end if;
    -- PostgREST turns SQLSTATE PGRST into the HTTP answer; details must be text there, an object is its own error (PGRST121).
    raise exception sqlstate 'PGRST' using
        message = jsonb_build_object('code', v_entry.code, 'message', v_entry.message, 'details', p_details::text, 'hint', v_entry.hint)::text,
        detail = jsonb_build_object('status', v_entry.http_status, 'headers', '{}'::jsonb)::text;
end
$$;
comment on function private.raise_error(text, jsonb) is 'Raises an error of the catalogue. p_details: machine-readable facts, sent as JSON text.';
