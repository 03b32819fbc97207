-- Users, and becoming one of them as PostgREST does: role and request.jwt.claims of the transaction.

-- The id of a fixture by its name, the same wherever it is asked: no test has to carry ids around.
create function tests.id(p_name text)
returns uuid
language sql immutable
set search_path = ''
as $$ select md5('tests:' || p_name)::uuid $$;

create function tests.create_user(p_name text, p_email text default null, p_verified boolean default true)
returns uuid
language sql volatile security definer
set search_path = ''
as $$
    insert into auth.users (id, aud, role, email, email_confirmed_at, created_at, updated_at)
    values (tests.id(p_name), 'authenticated', 'authenticated', coalesce(p_email, p_name || '@people.test'),
        case when p_verified then now() end, now(), now())
    returning id
$$;

create function tests.login_with(p_role text, p_claims jsonb)
returns void
language plpgsql volatile
as $$
begin
    perform set_config('request.jwt.claims', p_claims::text, true);
    perform set_config('role', p_role, true);
end
$$;

create function tests.login_as(p_user text)
returns void
language sql volatile
as $$
    select tests.login_with('authenticated', jsonb_build_object('sub', tests.id(p_user), 'role', 'authenticated', 'aud', 'authenticated'))
$$;

create function tests.login_anon()
returns void
language sql volatile
as $$ select tests.login_with('anon', '{"role": "anon"}') $$;

create function tests.login_worker()
returns void
language sql volatile
as $$ select tests.login_with('octopush_worker', '{}') $$;

-- Back to the superuser that runs the tests.
create function tests.logout()
returns void
language sql volatile
as $$ select tests.login_with('none', '{}') $$;
