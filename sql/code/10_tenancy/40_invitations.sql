-- Invitations: the link carries a random token, the table keeps its hash. Called by the settings page and the accept page.
-- Must stay true: only the invited address, verified, may accept; once; within a week.

create or replace function public.invite_member(p_org_id uuid, p_email text, p_role text)
returns table (id uuid, token text)
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_email text := lower(btrim(coalesce(p_email, '')));
    -- 256 bits: cannot be guessed, and the hash needs no salt.
    v_token text := encode(extensions.gen_random_bytes(32), 'hex');
    v_id uuid;
begin
    perform private.require_permission(p_org_id, 'settings.manage');
    if v_email !~ '^[^@\s]+@[^@\s]+\.[^@\s]+$' or length(v_email) > 320 then
        perform private.raise_error('ORG_008');
    end if;
    if p_role is null or private.role_rank(p_role) is null or p_role = 'owner' then
        perform private.raise_error('ORG_007', jsonb_build_object('role', p_role));
    end if;
    if exists (
        select from public.org_memberships m join public.profiles p on p.user_id = m.user_id
        where m.org_id = p_org_id and lower(p.email) = v_email
    ) then
        perform private.raise_error('ORG_002');
    end if;
    -- A new invitation replaces the open one: the old link stops working. One at a time, or two for the same address would collide.
    perform from public.organizations o where o.id = p_org_id for no key update;
    perform private.require_permission(p_org_id, 'settings.manage');
    update public.org_invitations i set revoked_at = now()
    where i.org_id = p_org_id and i.email = v_email and i.accepted_at is null and i.revoked_at is null;
    insert into public.org_invitations (org_id, email, role, token_hash, invited_by, expires_at)
    values (p_org_id, v_email, p_role, extensions.digest(v_token, 'sha256'), (select auth.uid()), private.clock() + interval '7 days')
    returning org_invitations.id into v_id;
    perform private.record_activity(p_org_id, 'member.invited', (select auth.uid()), p_data => jsonb_build_object('role', p_role));
    return query select v_id, v_token;
end
$$;
comment on function public.invite_member(uuid, text, text) is
    'Returns the invitation and its token, once: the link is <app>/invitations/<token>. Errors: AUTH_003, ORG_001, ORG_002, ORG_007, ORG_008.';

create or replace function public.accept_invitation(p_token text)
returns uuid
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_email text := private.verified_email();
    v_user_id uuid := (select auth.uid());
    v_invitation record;
begin
    select i.id, i.org_id, i.role, i.email into v_invitation
    from public.org_invitations i
    join public.organizations o on o.id = i.org_id and o.deleted_at is null
    where i.token_hash = extensions.digest(coalesce(p_token, ''), 'sha256')
        and i.accepted_at is null and i.revoked_at is null and i.expires_at > private.clock()
    for update of i;
    -- A right token in the wrong hands is told nothing more than a wrong token.
    if not found or v_invitation.email <> v_email then
        perform private.raise_error('ORG_003');
    end if;
    insert into public.profiles (user_id, full_name, email) values (v_user_id, split_part(v_email, '@', 1), v_email)
    on conflict (user_id) do update set email = excluded.email, updated_at = now();
    insert into public.org_memberships (org_id, user_id, role) values (v_invitation.org_id, v_user_id, v_invitation.role)
    on conflict (org_id, user_id) do nothing;
    update public.org_invitations set accepted_at = now() where id = v_invitation.id;
    perform private.record_activity(v_invitation.org_id, 'member.joined', v_user_id, p_data => jsonb_build_object('role', v_invitation.role));
    return v_invitation.org_id;
end
$$;
comment on function public.accept_invitation(text) is 'Joins the organisation of the invitation; returns its id. Errors: AUTH_002, AUTH_004, ORG_003.';

create or replace function public.revoke_invitation(p_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_org_id uuid;
begin
    select i.org_id into v_org_id from public.org_invitations i where i.id = p_id and i.org_id = any (private.my_org_ids());
    if not found then
        perform private.raise_error('ORG_003');
    end if;
    perform private.require_permission(v_org_id, 'settings.manage');
    update public.org_invitations set revoked_at = now() where id = p_id and accepted_at is null and revoked_at is null;
end
$$;
comment on function public.revoke_invitation(uuid) is 'The link stops working. Errors: AUTH_003, ORG_003.';
