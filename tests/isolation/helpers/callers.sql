-- Everybody who may knock, and what each of them carries. Needs tests/pgtap/helpers/load.sql, tests.make_world() and tests.make_rows().

create table tests.callers (
    name text primary key,
    role text not null,
    claims jsonb not null,
    -- The organisation whose rows this caller may reach at all, and in which role there.
    org text,
    member_role text
);
grant select on tests.callers to public;

create function tests.make_callers()
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    insert into tests.callers
    select o || ' ' || r, 'authenticated', jsonb_build_object('sub', tests.id(o || '.' || r), 'role', 'authenticated'), o, r
    from unnest(array['acme', 'globex']) o, unnest(array['owner', 'admin', 'campaign_manager', 'agent', 'viewer']) r;
    perform tests.add_member('acme', 'owner', 'acme.former');
    delete from public.org_memberships where user_id = tests.id('acme.former');
    insert into tests.callers (name, role, claims) values
        ('a removed member', 'authenticated', jsonb_build_object('sub', tests.id('acme.former'), 'role', 'authenticated')),
        ('a stranger', 'authenticated', jsonb_build_object('sub', tests.id('stranger'), 'role', 'authenticated')),
        ('a stranger with forged claims', 'authenticated', jsonb_build_object('sub', tests.id('stranger'), 'role', 'service_role',
            'org_id', tests.id('acme'), 'org_ids', jsonb_build_array(tests.id('acme')),
            'user_metadata', jsonb_build_object('role', 'service_role', 'org_id', tests.id('acme'), 'sub', tests.id('acme.owner')),
            'app_metadata', jsonb_build_object('role', 'owner', 'org_id', tests.id('acme'), 'provider', 'email'))),
        ('a token without sub', 'authenticated', '{"role": "authenticated"}'),
        ('a token of a deleted user', 'authenticated', jsonb_build_object('sub', tests.id('nobody'), 'role', 'authenticated')),
        ('anon', 'anon', '{"role": "anon"}'),
        ('anon with the owner''s sub', 'anon', jsonb_build_object('role', 'anon', 'sub', tests.id('acme.owner'))),
        ('nobody at all', 'anon', '{}');
end
$$;

create function tests.become(p_caller text)
returns void
language sql volatile
as $$ select tests.login_with(c.role, c.claims) from tests.callers c where c.name = p_caller $$;

-- Runs a query as somebody; its one value as text, or the error's code after an exclamation mark.
create function tests.ask(p_caller text, p_sql text)
returns text
language plpgsql volatile
as $$
declare
    v_value text;
    v_state text;
begin
    perform tests.become(p_caller);
    begin
        execute p_sql into v_value;
    exception when others then
        get stacked diagnostics v_state = returned_sqlstate;
        v_value := '!' || v_state;
    end;
    perform tests.logout();
    return v_value;
end
$$;
