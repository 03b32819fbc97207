-- One call of every function of the API that would go through for a member with the right, and that right (the lines of design §4).
-- {org} stands for the organisation. A function without a call here fails 11_members_and_roles and the isolation matrix.

create table tests.calls (
    function_name text primary key,
    -- self: needs no organisation; expected then says the outcome for members.
    needed text not null check (needed in ('self', 'read', 'contacts', 'delete', 'trash', 'answer', 'tags', 'settings', 'own', 'campaigns')),
    statement text not null,
    expected text
);
grant select on tests.calls to public;

insert into tests.calls (function_name, needed, statement, expected) values
    ('complete_onboarding', 'self', $$ select complete_onboarding('Somebody', 'Another Org') $$, 'ORG_002'),
    ('update_profile', 'self', $$ select update_profile('Somebody') $$, null),
    ('accept_invitation', 'self', $$ select accept_invitation('token-of-{org}') $$, 'ORG_003'),
    ('update_organization', 'settings', $$ select update_organization(tests.id('{org}'), 'Renamed', 'SG', 'Asia/Singapore') $$, null),
    ('set_member_role', 'settings', $$ select set_member_role(tests.id('{org}'), tests.id('{org}.extra'), 'viewer') $$, null),
    ('remove_member', 'settings', $$ select remove_member(tests.id('{org}'), tests.id('{org}.extra')) $$, null),
    ('invite_member', 'settings', $$ select invite_member(tests.id('{org}'), 'new@people.test', 'agent') $$, null),
    ('revoke_invitation', 'settings', $$ select revoke_invitation(tests.id('{org}.invitation')) $$, null),
    ('transfer_ownership', 'own', $$ select transfer_ownership(tests.id('{org}'), tests.id('{org}.extra')) $$, null),
    ('delete_organization', 'own', $$ select delete_organization(tests.id('{org}'), initcap('{org}')) $$, null),
    ('connect_whatsapp_account', 'settings', $$ select connect_whatsapp_account(tests.id('{org}'), '555', '556', 'a-new-token') $$, null),
    ('disconnect_whatsapp_account', 'settings', $$ select disconnect_whatsapp_account(tests.id('{org}.number')) $$, null),
    ('create_contact', 'contacts', $$ select create_contact(tests.id('{org}'), '{"phone": "+60199998888"}') $$, null),
    ('update_contact', 'contacts',
        $$ select update_contact(tests.id('{org}.siti'), '{"company": "New"}', (tests.contact('{org}.siti')).updated_at) $$, null),
    ('set_contact_consent', 'contacts', $$ select set_contact_consent(tests.id('{org}.siti'), 'opted_in', 'form') $$, null),
    ('set_contact_tags', 'contacts', $$ select set_contact_tags(tests.id('{org}.siti'), '{}') $$, null),
    ('delete_contact', 'delete', $$ select delete_contact(tests.id('{org}.siti')) $$, null),
    ('restore_contact', 'trash', $$ select restore_contact(tests.id('{org}.trashed')) $$, null),
    ('list_contacts', 'read', $$ select list_contacts(tests.id('{org}'), 'siti') $$, null),
    ('contact_timeline', 'read', $$ select contact_timeline(tests.id('{org}.siti')) $$, null),
    ('change_contacts', 'delete',
        $$ select change_contacts(tests.id('{org}'), '{}', '{"action": "set_lifecycle_stage", "stage": "customer"}') $$, null),
    ('merge_contacts', 'delete', $$ select merge_contacts(tests.id('{org}.siti'), tests.id('{org}.ravi')) $$, null),
    ('export_contact', 'delete', $$ select export_contact(tests.id('{org}.siti')) $$, null),
    ('erase_contact', 'trash', $$ select erase_contact(tests.id('{org}.siti'), 'ERASE') $$, null),
    ('set_consent_keywords', 'settings', $$ select set_consent_keywords(tests.id('{org}'), array['STOP'], array['START']) $$, null),
    ('create_custom_field', 'settings', $$ select create_custom_field(tests.id('{org}'), 'New field', 'text') $$, null),
    ('update_custom_field', 'settings', $$ select update_custom_field(tests.id('{org}.field'), 'Renamed') $$, null),
    ('archive_custom_field', 'settings', $$ select archive_custom_field(tests.id('{org}.field')) $$, null),
    ('restore_custom_field', 'settings', $$ select restore_custom_field(tests.id('{org}.field')) $$, null),
    ('update_tag', 'tags', $$ select update_tag(tests.id('{org}.tag'), 'Renamed', '#000000') $$, null),
    ('create_tag', 'tags', $$ select create_tag(tests.id('{org}'), 'New') $$, null),
    ('delete_tag', 'tags', $$ select delete_tag(tests.id('{org}.tag')) $$, null),
    ('mark_conversation_read', 'answer', $$ select mark_conversation_read(tests.id('{org}.thread')) $$, null),
    ('mark_conversation_unread', 'answer', $$ select mark_conversation_unread(tests.id('{org}.thread')) $$, null),
    ('assign_conversation', 'answer', $$ select assign_conversation(tests.id('{org}.thread'), tests.id('{org}.extra')) $$, null),
    ('resolve_conversation', 'answer', $$ select resolve_conversation(tests.id('{org}.thread')) $$, null),
    ('reopen_conversation', 'answer', $$ select reopen_conversation(tests.id('{org}.thread')) $$, null),
    ('snooze_conversation', 'answer', $$ select snooze_conversation(tests.id('{org}.thread'), now() + interval '1 day') $$, null),
    ('start_conversation', 'answer', $$ select start_conversation(tests.id('{org}.ravi'), tests.id('{org}.number')) $$, null),
    ('send_message', 'answer', $$ select send_message(tests.id('{org}.thread'), 'a-client-key', 'text', 'hello') $$, null),
    ('add_note', 'answer', $$ select add_note(tests.id('{org}.thread'), 'a note', 'a-note-key') $$, null),
    ('retry_message', 'answer', $$ select retry_message(tests.id('{org}.failed')) $$, null),
    ('search_conversations', 'read', $$ select search_conversations(tests.id('{org}'), 'siti') $$, null),
    ('mark_notifications_read', 'read', $$ select mark_notifications_read(tests.id('{org}')) $$, null);

-- Runs a statement as somebody and takes its effects back; null when it went through.
create function tests.trial(p_user text, p_statement text)
returns text
language plpgsql volatile
as $$
declare
    v_code text;
begin
    perform tests.login_as(p_user);
    begin
        v_code := tests.error_of(p_statement);
        raise exception sqlstate 'UNDO0';
    exception when sqlstate 'UNDO0' then
        null;
    end;
    perform tests.logout();
    return v_code;
end
$$;

insert into tests.calls (function_name, needed, statement, expected) values
    ('create_segment', 'campaigns', $$ select create_segment(tests.id('{org}'), 'New', 'dynamic', '{"all": []}') $$, null),
    ('update_segment', 'campaigns', $$ select update_segment(tests.id('{org}.outer'), 'Renamed', '{"none": []}', null,
        (select s.updated_at from public.segments s where s.id = tests.id('{org}.outer'))) $$, null),
    ('delete_segment', 'campaigns', $$ select delete_segment(tests.id('{org}.list')) $$, null),
    ('pin_segment_contacts', 'campaigns', $$ select pin_segment_contacts(tests.id('{org}.segment'), array[tests.id('{org}.siti')], 'exclude') $$, null),
    ('preview_segment', 'read', $$ select preview_segment(tests.id('{org}'), '{"all": []}') $$, null),
    ('segment_usage', 'read', $$ select segment_usage(tests.id('{org}.segment')) $$, null),
    ('segment_catalog', 'read', $$ select segment_catalog(tests.id('{org}')) $$, null),
    ('segment_sentence', 'read', $$ select segment_sentence(tests.id('{org}.segment')) $$, null),
    ('segment_summaries', 'read', $$ select segment_summaries(tests.id('{org}')) $$, null),
    ('explain_segment', 'read', $$ select explain_segment(tests.id('{org}.segment'), tests.id('{org}.siti')) $$, null),
    ('contact_segments', 'read', $$ select contact_segments(tests.id('{org}.siti')) $$, null),
    ('segment_members', 'read', $$ select segment_members(tests.id('{org}.segment')) $$, null),
    ('segment_sql', 'read', $$ select segment_sql(tests.id('{org}.segment')) $$, null),
    ('segment_plan', 'read', $$ select segment_plan(tests.id('{org}.segment')) $$, null);

insert into tests.calls (function_name, needed, statement, expected) values
    ('create_import', 'delete', $$ select create_import(tests.id('{org}'), tests.id('{org}') || '/upload/people.csv', 'people.csv') $$, null),
    ('inspect_import', 'delete', $$ select inspect_import(tests.id('{org}.import'), '{"delimiter": ";"}') $$, null),
    ('preview_import', 'delete', $$ select preview_import(tests.id('{org}.import'), '[{"index": 0, "field": "phone"}]') $$, null),
    ('start_import', 'delete', $$ select start_import(tests.id('{org}.import'), '[{"index": 0, "field": "phone"}]') $$, null),
    ('cancel_job', 'delete', $$ select cancel_job(tests.id('{org}.import')) $$, null),
    ('create_export', 'delete', $$ select create_export(tests.id('{org}')) $$, null);

insert into tests.calls (function_name, needed, statement, expected) values
    ('campaign_links', 'read', $$ select campaign_links(tests.id('{org}.campaign')) $$, null),
    ('record_opportunity', 'contacts', $$ select record_opportunity(tests.id('{org}.siti'), jsonb_build_object('campaign_id', tests.id('{org}.campaign'))) $$, null),
    ('delete_opportunity', 'contacts', $$ select delete_opportunity(tests.id('{org}.opportunity')) $$, null),
    ('rotate_conversion_secret', 'settings', $$ select rotate_conversion_secret(tests.id('{org}')) $$, null);

insert into tests.calls (function_name, needed, statement, expected) values
    ('create_template', 'campaigns', $$ select create_template(tests.id('{org}'), '{"name": "brand_new"}') $$, null),
    ('update_template', 'campaigns', $$ select update_template(tests.id('{org}.draft'), '{"name": "renamed"}',
        (select t.updated_at from public.templates t where t.id = tests.id('{org}.draft'))) $$, null),
    ('submit_template', 'campaigns', $$ select submit_template(tests.id('{org}.draft')) $$, null),
    ('duplicate_template', 'campaigns', $$ select duplicate_template(tests.id('{org}.hello'), 'another') $$, null),
    ('delete_template', 'campaigns', $$ select delete_template(tests.id('{org}.draft')) $$, null),
    ('sync_templates', 'campaigns', $$ select sync_templates(tests.id('{org}')) $$, null),
    ('check_template', 'campaigns', $$ select check_template(tests.id('{org}'), '{"name": "brand_new"}') $$, null),
    ('list_templates', 'read', $$ select list_templates(tests.id('{org}')) $$, null),
    ('preview_template', 'read', $$ select preview_template(tests.id('{org}.hello')) $$, null),
    ('template_variables', 'read', $$ select template_variables(tests.id('{org}.hello')) $$, null),
    ('template_analytics', 'read', $$ select template_analytics(tests.id('{org}.hello')) $$, null);

insert into tests.calls (function_name, needed, statement, expected) values
    ('create_campaign', 'campaigns', $$ select create_campaign(tests.id('{org}'), '{"name": "Brand new"}') $$, null),
    ('update_campaign', 'campaigns', $$ select update_campaign(tests.id('{org}.plan'), '{"name": "Renamed"}',
        (select c.updated_at from public.campaigns c where c.id = tests.id('{org}.plan'))) $$, null),
    ('delete_campaign', 'campaigns', $$ select delete_campaign(tests.id('{org}.plan')) $$, null),
    ('duplicate_campaign', 'campaigns', $$ select duplicate_campaign(tests.id('{org}.campaign')) $$, null),
    ('launch_campaign', 'campaigns', $$ select launch_campaign(tests.id('{org}.plan')) $$, null),
    ('schedule_campaign', 'campaigns', $$ select schedule_campaign(tests.id('{org}.plan'), now() + interval '1 day') $$, null),
    ('unschedule_campaign', 'campaigns', $$ select unschedule_campaign(tests.id('{org}.scheduled')) $$, null),
    ('pause_campaign', 'campaigns', $$ select pause_campaign(tests.id('{org}.campaign')) $$, null),
    ('resume_campaign', 'campaigns', $$ select resume_campaign(tests.id('{org}.paused')) $$, null),
    ('cancel_campaign', 'campaigns', $$ select cancel_campaign(tests.id('{org}.campaign')) $$, null),
    ('choose_winner', 'campaigns', $$ select choose_winner(tests.id('{org}.trial'), 1) $$, null),
    ('campaign_audience', 'campaigns', $$ select campaign_audience(tests.id('{org}.plan')) $$, null),
    ('campaign_exclusions', 'campaigns', $$ select campaign_exclusions(tests.id('{org}.plan')) $$, null),
    ('rehearse_campaign', 'campaigns', $$ select rehearse_campaign(tests.id('{org}.plan')) $$, null),
    ('list_campaigns', 'read', $$ select list_campaigns(tests.id('{org}')) $$, null),
    ('campaign_detail', 'read', $$ select campaign_detail(tests.id('{org}.campaign')) $$, null),
    ('list_recipients', 'read', $$ select list_recipients(tests.id('{org}.campaign')) $$, null),
    ('export_recipients', 'delete', $$ select export_recipients(tests.id('{org}.campaign')) $$, null),
    ('set_campaign_settings', 'settings', $$ select set_campaign_settings(tests.id('{org}'), '{"marketing_cap": {"messages": 3, "days": 7}}') $$, null),
    ('retry_failed_recipients', 'campaigns', $$ select retry_failed_recipients(tests.id('{org}.completed')) $$, null);
