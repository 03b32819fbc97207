-- Private topics: members of a team read and write `team:<id>`; on `announcements` they only listen.

create policy members_listen on realtime.messages for select to authenticated using (
  extension in ('broadcast', 'presence')
  and (
    (select realtime.topic()) = 'announcements'
    or (select realtime.topic()) like 'team:%'
    and substr((select realtime.topic()), 6) = any (array(select unnest(private.my_teams())::text))
  )
);
create policy members_speak on realtime.messages for insert to authenticated with check (
  extension in ('broadcast', 'presence')
  and (select realtime.topic()) like 'team:%'
  and substr((select realtime.topic()), 6) = any (array(select unnest(private.my_teams())::text))
);

create function private.announce_note() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
begin
  perform realtime.broadcast_changes(
    'team:' || coalesce(new.team_id, old.team_id), tg_op, tg_op, tg_table_name, tg_table_schema, new, old);
  return null;
end
$$;
revoke all on function private.announce_note() from public;
create trigger announce_note after insert or update or delete on public.notes
  for each row execute function private.announce_note();

-- Speaks on a topic as an application's RPC does.
create function private.say(topic text, event text, payload jsonb, is_private boolean) returns void
language sql volatile security definer set search_path = '' as $$
  select realtime.send(payload, event, topic, is_private)
$$;
revoke all on function private.say(text, text, jsonb, boolean) from public;
grant execute on function private.say(text, text, jsonb, boolean) to authenticated, service_role;

create function public.say(topic text, event text, payload jsonb, is_private boolean default true) returns void
language sql volatile set search_path = '' as $$ select private.say(topic, event, payload, is_private) $$;
revoke all on function public.say(text, text, jsonb, boolean) from public;
grant execute on function public.say(text, text, jsonb, boolean) to authenticated, service_role;
