-- media, files of conversations: <org_id>/<conversation_id>/<file>. Members read, those who answer upload, nobody overwrites or deletes.
-- templates, samples of headers: <org_id>/<upload id>/<file>. Members read, those who manage campaigns upload.
-- imports and exports, files of contacts: <org_id>/<upload or job id>/<file>. Only for those who may have all contacts at once; the worker
-- writes exports and removes both after a week.

insert into storage.buckets (id, name, public, file_size_limit)
-- 100 MB is the largest file WhatsApp takes (reference/whatsapp.md §7).
values
    ('media', 'media', false, 104857600),
    ('templates', 'templates', false, 104857600),
    -- 2 GiB: some ten million contacts. The service's own limit (SUPABASE_STORAGE_FILE_SIZE_LIMIT) may be lower.
    ('imports', 'imports', false, 2147483648),
    ('exports', 'exports', false, 2147483648)
on conflict (id) do update set public = false, file_size_limit = excluded.file_size_limit;

create policy octopush_media_select on storage.objects for select to authenticated
    using (bucket_id = 'media' and (storage.foldername(name))[1] = any ((select private.my_org_ids())::text[]));
create policy octopush_media_insert on storage.objects for insert to authenticated
    with check (bucket_id = 'media' and (storage.foldername(name))[1] = any ((select private.my_orgs_with('inbox.answer'))::text[]));

create policy octopush_templates_select on storage.objects for select to authenticated
    using (bucket_id = 'templates' and (storage.foldername(name))[1] = any ((select private.my_org_ids())::text[]));
create policy octopush_templates_insert on storage.objects for insert to authenticated
    with check (bucket_id = 'templates' and (storage.foldername(name))[1] = any ((select private.my_orgs_with('campaigns.manage'))::text[]));

create policy octopush_imports_select on storage.objects for select to authenticated
    using (bucket_id = 'imports' and (storage.foldername(name))[1] = any ((select private.my_orgs_with('contacts.bulk'))::text[]));
create policy octopush_imports_insert on storage.objects for insert to authenticated
    with check (bucket_id = 'imports' and (storage.foldername(name))[1] = any ((select private.my_orgs_with('contacts.bulk'))::text[]));
create policy octopush_exports_select on storage.objects for select to authenticated
    using (bucket_id = 'exports' and (storage.foldername(name))[1] = any ((select private.my_orgs_with('contacts.bulk'))::text[]));
