-- The bucket for media of conversations: <org_id>/<conversation_id>/<file>. Members read, those who answer upload, nobody overwrites or deletes.

insert into storage.buckets (id, name, public, file_size_limit)
-- 100 MB is the largest file WhatsApp takes (reference/whatsapp.md §7).
values ('media', 'media', false, 104857600)
on conflict (id) do update set public = false, file_size_limit = excluded.file_size_limit;

create policy octopush_media_select on storage.objects for select to authenticated
    using (bucket_id = 'media' and (storage.foldername(name))[1] = any ((select private.my_org_ids())::text[]));
create policy octopush_media_insert on storage.objects for insert to authenticated
    with check (bucket_id = 'media' and (storage.foldername(name))[1] = any ((select private.my_orgs_with('inbox.answer'))::text[]));
