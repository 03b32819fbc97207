-- Everyone signed in owns the folder named by their id, in every bucket.

create policy owners_read on storage.objects for select to authenticated
  using ((storage.foldername(name))[1] = (select auth.uid())::text);
create policy owners_insert on storage.objects for insert to authenticated
  with check ((storage.foldername(name))[1] = (select auth.uid())::text);
create policy owners_update on storage.objects for update to authenticated
  using ((storage.foldername(name))[1] = (select auth.uid())::text)
  with check ((storage.foldername(name))[1] = (select auth.uid())::text);
create policy owners_delete on storage.objects for delete to authenticated
  using ((storage.foldername(name))[1] = (select auth.uid())::text);

-- Tries what only the Storage API may do.
create function public.delete_objects_of(bucket text) returns void
language sql volatile security definer set search_path = '' as $$
  delete from storage.objects as o where o.bucket_id = bucket
$$;
revoke all on function public.delete_objects_of(text) from public;
grant execute on function public.delete_objects_of(text) to service_role;
