-- Generated from sql/ by scripts/gen-supabase-migrations. Do not edit.

-- Claims say of which lane a message is and may be asked for replies alone, so that these never wait behind a campaign.

drop function if exists worker.claim_sends(uuid, uuid, integer);

insert into private.schema_migrations (version, name, hash) values (15, '0015_send_lanes', '123370d1a2cdf403650ad06bf3e0fa6caa7bf883df25509b3df04c8550d5f7c7');
