-- Claims say of which lane a message is and may be asked for replies alone, so that these never wait behind a campaign.

drop function if exists worker.claim_sends(uuid, uuid, integer);
