-- Far past the lifetime of anything they could still open.
delete from supabase_embedded.mailbox where created_at < now() - interval '30 days';
delete from auth.flow_state where created_at < now() - interval '1 day';
delete from auth.one_time_tokens where updated_at < now() at time zone 'utc' - interval '30 days';
