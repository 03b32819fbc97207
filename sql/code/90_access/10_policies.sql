-- Row-level security of everything the API can reach: reading is by membership, writing is by RPC, so there are select policies only.
-- Must stay true: the expression below to the letter (10_tenancy/10_permissions.sql says why); one policy for each table, role and command.

create policy octopush_members_select on public.organizations for select to authenticated
    using (id = any ((select private.my_org_ids())::uuid[]));
create policy octopush_members_select on public.org_memberships for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));
create policy octopush_managers_select on public.org_invitations for select to authenticated
    using (org_id = any ((select private.my_orgs_with('settings.manage'))::uuid[]));
-- One's own profile, and colleagues'.
create policy octopush_colleagues_select on public.profiles for select to authenticated
    using (user_id = (select auth.uid()) or user_id = any ((select private.my_colleague_ids())::uuid[]));

create policy octopush_members_select on public.whatsapp_accounts for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));
create policy octopush_managers_select on public.whatsapp_events for select to authenticated
    using (org_id = any ((select private.my_orgs_with('settings.manage'))::uuid[]));

create policy octopush_members_select on public.contacts for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[])
        and (deleted_at is null or org_id = any ((select private.my_orgs_with('contacts.trash'))::uuid[])));
create policy octopush_members_select on public.tags for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));
create policy octopush_members_select on public.contact_tags for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));
create policy octopush_members_select on public.custom_field_definitions for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));
create policy octopush_members_select on public.contact_consents for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));
create policy octopush_members_select on public.consent_keywords for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));

create policy octopush_members_select on public.conversations for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));
create policy octopush_members_select on public.messages for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));

create policy octopush_members_select on public.activity_log for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));
create policy octopush_recipient_select on public.notifications for select to authenticated
    using (user_id = (select auth.uid()) and org_id = any ((select private.my_org_ids())::uuid[]));

create policy octopush_members_select on public.segments for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));
create policy octopush_members_select on public.segment_members for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));
create policy octopush_members_select on public.segment_pins for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));

create policy octopush_members_select on public.templates for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));

create policy octopush_members_select on public.campaigns for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));
create policy octopush_members_select on public.campaign_variants for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));
create policy octopush_members_select on public.campaign_recipients for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));
create policy octopush_members_select on public.campaign_settings for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));

-- Their previews and selections show contacts: for those who may have all of them at once.
create policy octopush_members_select on public.jobs for select to authenticated
    using (org_id = any ((select private.my_orgs_with('contacts.bulk'))::uuid[]));

create policy octopush_members_select on public.opportunities for select to authenticated
    using (org_id = any ((select private.my_org_ids())::uuid[]));
