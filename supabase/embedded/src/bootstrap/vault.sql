-- Vault: secrets encrypted at rest, with the names and signatures of supabase_vault. AES-256-CBC, then HMAC-SHA-256 over
-- row id, nonce and ciphertext, so that a value can be neither altered nor moved to another row. The root key is a file
-- in the data directory that only the server process reads: a dump of the database is useless without it.

create schema if not exists vault;
revoke all on schema vault from public;

do $$
begin
  -- noclobber and rename: an existing key is never replaced, and a crash leaves either no key or a whole one.
  execute $program$
    copy (select encode(extensions.gen_random_bytes(32), 'hex')) to program
    'umask 077; if test -s vault_root.key; then cat >/dev/null; else cat >vault_root.key.new && sync vault_root.key.new && mv -n vault_root.key.new vault_root.key; fi'
  $program$;
end
$$;

create table if not exists vault.secrets (
  id uuid not null default gen_random_uuid() primary key,
  name text,
  description text not null default '',
  secret text not null,
  key_id uuid,
  nonce bytea not null,
  created_at timestamptz not null default current_timestamp,
  updated_at timestamptz not null default current_timestamp
);
create unique index if not exists secrets_name_idx on vault.secrets (name) where name is not null;
alter table vault.secrets enable row level security;

create or replace function vault._derived_key(purpose text) returns bytea
language sql stable set search_path = '' as $$
  select extensions.hmac(
    purpose::bytea, decode(trim(both e' \n' from pg_catalog.pg_read_file('vault_root.key')), 'hex'), 'sha256'
  )
$$;

create or replace function vault._seal(plaintext text, secret_id uuid, nonce bytea) returns text
language sql stable set search_path = '' as $$
  with sealed as (
    select extensions.encrypt_iv(
      convert_to(plaintext, 'UTF8'), vault._derived_key('vault encryption'), nonce, 'aes-cbc/pad:pkcs'
    ) as ciphertext
  )
  select encode(
    ciphertext || extensions.hmac(
      convert_to(secret_id::text, 'UTF8') || nonce || ciphertext, vault._derived_key('vault authentication'), 'sha256'
    ),
    'base64'
  )
  from sealed
$$;

create or replace function vault._unseal(sealed text, secret_id uuid, nonce bytea) returns text
language plpgsql stable security definer set search_path = '' as $$
declare
  bytes constant bytea := decode(sealed, 'base64');
  ciphertext constant bytea := substring(bytes from 1 for length(bytes) - 32);
  tag constant bytea := substring(bytes from length(bytes) - 31);
  expected constant bytea := extensions.hmac(
    convert_to(secret_id::text, 'UTF8') || nonce || ciphertext, vault._derived_key('vault authentication'), 'sha256'
  );
begin
  if tag is distinct from expected then
    raise exception 'vault: secret % does not decrypt with this cluster''s root key', secret_id
      using errcode = 'data_corrupted';
  end if;
  return convert_from(
    extensions.decrypt_iv(ciphertext, vault._derived_key('vault encryption'), nonce, 'aes-cbc/pad:pkcs'), 'UTF8'
  );
end
$$;

create or replace function vault.create_secret(
  new_secret text, new_name text default null, new_description text default '', new_key_id uuid default null
) returns uuid
language plpgsql volatile security definer set search_path = '' as $$
declare
  new_id constant uuid := gen_random_uuid();
  new_nonce constant bytea := extensions.gen_random_bytes(16);
begin
  if new_secret is null then
    raise exception 'vault: a secret must not be null' using errcode = 'null_value_not_allowed';
  end if;
  insert into vault.secrets (id, name, description, secret, key_id, nonce)
  values (
    new_id, new_name, coalesce(new_description, ''), vault._seal(new_secret, new_id, new_nonce), new_key_id, new_nonce
  );
  return new_id;
end
$$;

create or replace function vault.update_secret(
  secret_id uuid, new_secret text default null, new_name text default null, new_description text default null,
  new_key_id uuid default null
) returns void
language plpgsql volatile security definer set search_path = '' as $$
declare
  new_nonce constant bytea := extensions.gen_random_bytes(16);
begin
  update vault.secrets as s
  set secret = case when new_secret is null then s.secret else vault._seal(new_secret, s.id, new_nonce) end,
      nonce = case when new_secret is null then s.nonce else new_nonce end,
      name = coalesce(new_name, s.name),
      description = coalesce(new_description, s.description),
      key_id = coalesce(new_key_id, s.key_id),
      updated_at = current_timestamp
  where s.id = secret_id;
end
$$;

create or replace view vault.decrypted_secrets as
select
  s.id, s.name, s.description, s.secret, vault._unseal(s.secret, s.id, s.nonce) as decrypted_secret, s.key_id, s.nonce,
  s.created_at, s.updated_at
from vault.secrets as s;

revoke all on table vault.secrets, vault.decrypted_secrets from public;
revoke all on function vault._derived_key(text), vault._seal(text, uuid, bytea), vault._unseal(text, uuid, bytea),
  vault.create_secret(text, text, text, uuid), vault.update_secret(uuid, text, text, text, uuid) from public;

grant usage on schema vault to postgres, service_role;
grant select, delete on vault.secrets, vault.decrypted_secrets to postgres with grant option;
grant select, delete on vault.secrets, vault.decrypted_secrets to service_role;
grant execute on function vault.create_secret(text, text, text, uuid),
  vault.update_secret(uuid, text, text, text, uuid), vault._unseal(text, uuid, bytea) to postgres with grant option;
grant execute on function vault.create_secret(text, text, text, uuid),
  vault.update_secret(uuid, text, text, text, uuid), vault._unseal(text, uuid, bytea) to service_role;
