-- Every grant of the product, in one place; 00_foundation/10_reset.sql took all of them back first.
-- Must stay true: authenticated reads tables and calls RPCs, nothing else; anon has nothing; octopush_worker executes worker.* only.

grant select on
    public.organizations, public.profiles, public.org_memberships, public.whatsapp_accounts, public.whatsapp_events,
    public.contacts, public.tags, public.contact_tags, public.custom_field_definitions, public.contact_consents, public.consent_keywords, public.tag_usage,
    public.conversations, public.messages, public.activity_log, public.notifications,
    public.conversation_list
to authenticated;
-- Without token_hash.
grant select (id, org_id, email, role, invited_by, expires_at, accepted_at, revoked_at, created_at) on public.org_invitations to authenticated;
grant select on
    public.organizations, public.profiles, public.org_memberships, public.whatsapp_accounts, public.whatsapp_events,
    public.contacts, public.tags, public.contact_tags, public.custom_field_definitions, public.contact_consents, public.consent_keywords, public.tag_usage,
    public.conversations, public.messages, public.activity_log, public.notifications,
    public.conversation_list
to service_role;

-- Policies run these as the caller.
grant execute on function private.my_org_ids(), private.my_orgs_with(text), private.my_colleague_ids(), private.may_hear(text)
to authenticated, service_role;

grant execute on function
    public.complete_onboarding(text, text, text, text),
    public.update_organization(uuid, text, text, text),
    public.update_profile(text),
    public.set_member_role(uuid, uuid, text),
    public.remove_member(uuid, uuid),
    public.transfer_ownership(uuid, uuid),
    public.delete_organization(uuid, text),
    public.invite_member(uuid, text, text),
    public.accept_invitation(text),
    public.revoke_invitation(uuid),
    public.connect_whatsapp_account(uuid, text, text, text),
    public.disconnect_whatsapp_account(uuid),
    public.list_contacts(uuid, text, jsonb, text, boolean, integer, integer, boolean),
    public.create_contact(uuid, jsonb),
    public.change_contacts(uuid, jsonb, jsonb),
    public.contact_timeline(uuid, integer, text),
    public.merge_contacts(uuid, uuid),
    public.erase_contact(uuid, text),
    public.export_contact(uuid),
    public.set_consent_keywords(uuid, text[], text[]),
    public.update_contact(uuid, jsonb, timestamptz),
    public.delete_contact(uuid),
    public.restore_contact(uuid),
    public.set_contact_consent(uuid, text, text, text),
    public.create_custom_field(uuid, text, text, text[], text),
    public.update_custom_field(uuid, text, text[], integer),
    public.archive_custom_field(uuid),
    public.restore_custom_field(uuid),
    public.create_tag(uuid, text, text),
    public.update_tag(uuid, text, text),
    public.delete_tag(uuid),
    public.set_contact_tags(uuid, uuid[]),
    public.mark_conversation_read(uuid),
    public.mark_conversation_unread(uuid),
    public.assign_conversation(uuid, uuid),
    public.resolve_conversation(uuid),
    public.reopen_conversation(uuid),
    public.snooze_conversation(uuid, timestamptz),
    public.start_conversation(uuid, uuid),
    public.search_conversations(uuid, text, integer),
    public.send_message(uuid, text, text, text, jsonb, uuid),
    public.add_note(uuid, text, text),
    public.retry_message(uuid),
    public.mark_notifications_read(uuid, uuid[])
to authenticated;

grant select on public.segments, public.segment_members, public.segment_pins to authenticated, service_role;
grant execute on function
    public.create_segment(uuid, text, text, jsonb, jsonb, text),
    public.update_segment(uuid, text, jsonb, text, timestamptz),
    public.delete_segment(uuid),
    public.pin_segment_contacts(uuid, uuid[], text),
    public.preview_segment(uuid, jsonb),
    public.segment_usage(uuid),
    public.segment_catalog(uuid),
    public.segment_sentence(uuid),
    public.segment_summaries(uuid),
    public.explain_segment(uuid, uuid),
    public.contact_segments(uuid),
    public.segment_members(uuid, integer, uuid),
    public.segment_sql(uuid),
    public.segment_plan(uuid)
to authenticated;

grant select on public.templates to authenticated, service_role;
grant execute on function
    public.create_template(uuid, jsonb),
    public.update_template(uuid, jsonb, timestamptz),
    public.submit_template(uuid, timestamptz),
    public.duplicate_template(uuid, text),
    public.delete_template(uuid),
    public.sync_templates(uuid),
    public.check_template(uuid, jsonb),
    public.list_templates(uuid, text, text, text, text, text, boolean, integer, integer, text, boolean),
    public.preview_template(uuid, jsonb),
    public.template_variables(uuid),
    public.template_analytics(uuid, integer)
to authenticated;

grant select on public.jobs to authenticated, service_role;
grant execute on function
    public.create_import(uuid, text, text),
    public.inspect_import(uuid, jsonb),
    public.preview_import(uuid, jsonb, jsonb),
    public.start_import(uuid, jsonb, jsonb),
    public.create_export(uuid, jsonb),
    public.cancel_job(uuid)
to authenticated;

grant select on public.campaigns, public.campaign_variants, public.campaign_recipients, public.campaign_settings to authenticated, service_role;
grant execute on function
    public.create_campaign(uuid, jsonb),
    public.update_campaign(uuid, jsonb, timestamptz),
    public.delete_campaign(uuid),
    public.duplicate_campaign(uuid),
    public.launch_campaign(uuid, timestamptz),
    public.schedule_campaign(uuid, timestamptz, timestamptz),
    public.unschedule_campaign(uuid),
    public.pause_campaign(uuid),
    public.resume_campaign(uuid),
    public.cancel_campaign(uuid),
    public.retry_failed_recipients(uuid),
    public.choose_winner(uuid, integer),
    public.campaign_audience(uuid),
    public.campaign_exclusions(uuid, text, integer, uuid),
    public.rehearse_campaign(uuid, integer),
    public.list_campaigns(uuid, text, text[], timestamptz, timestamptz, uuid, integer, integer),
    public.campaign_detail(uuid),
    public.list_recipients(uuid, text, text[], integer, text),
    public.export_recipients(uuid),
    public.set_campaign_settings(uuid, jsonb)
to authenticated;

grant select on public.opportunities, public.opportunity_list to authenticated, service_role;
grant execute on function
    public.campaign_links(uuid),
    public.record_opportunity(uuid, jsonb),
    public.delete_opportunity(uuid),
    public.rotate_conversion_secret(uuid)
to authenticated;

grant execute on all functions in schema worker to octopush_worker;
