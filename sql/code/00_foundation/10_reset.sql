-- Opens the re-runnable pass (see sql/README.md): takes back every grant and policy, so that what the files below do not say does not hold.
-- The whole pass is one transaction: nobody ever sees the moment between.

do $$
declare
    v_policy record;
begin
    -- Function bodies may name functions of later files.
    perform pg_catalog.set_config('check_function_bodies', 'off', true);
    if octopush.version() is null then
        raise exception 'the extension octopush is not installed';
    end if;
    for v_policy in
        select schemaname, tablename, policyname from pg_catalog.pg_policies
        where schemaname = 'public' or (schemaname in ('realtime', 'storage') and policyname like 'octopush\_%')
    loop
        execute format('drop policy %I on %I.%I', v_policy.policyname, v_policy.schemaname, v_policy.tablename);
    end loop;
end
$$;

revoke all on all tables in schema public from anon, authenticated, service_role;
revoke all on all sequences in schema public from anon, authenticated, service_role;
revoke all on all functions in schema public from public, anon, authenticated, service_role;
revoke all on all functions in schema private from public, anon, authenticated, service_role;
revoke all on all functions in schema worker from public, octopush_worker;
