-- Contacts as campaigns see them change: numbers that are new, marketing stopped or resumed in WhatsApp, people who are merged or erased.
-- Called by triggers, by the applier of webhooks, and by 30_contacts/70_merge.sql and 80_erase.sql.
-- Must stay true: nobody is a recipient of a campaign twice; the ledger's counts outlive the person; resuming restores a consent that the
-- stop withdrew, and makes none.

create or replace function private.forget_unreachable()
returns trigger
language plpgsql volatile
set search_path = ''
as $$
begin
    new.not_on_whatsapp_at := null;
    return new;
end
$$;

create or replace trigger contacts__forget_unreachable before update of phone, wa_id on public.contacts
    for each row when (new.not_on_whatsapp_at is not null and (new.phone is distinct from old.phone or new.wa_id is distinct from old.wa_id))
    execute function private.forget_unreachable();
