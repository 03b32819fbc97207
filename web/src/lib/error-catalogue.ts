type Words = string | ((details: Record<string, unknown>) => string);

const text = (value: unknown): string | undefined => (typeof value === 'string' && value ? value : undefined);

const contactFields: Record<string, string> = {
  full_name: 'name',
  email: 'e-mail',
  job_title: 'job title',
  opt_in_status: 'opt-in status',
  lifecycle_stage: 'lifecycle stage',
  custom_fields: 'custom fields',
};

/** Words for every code of docs/error-codes.md; `errors.test.ts` fails for one that is missing. */
export const catalogue: Record<string, Words> = {
  AUTH_001: 'That e-mail and password don’t match. Check both, or reset your password.',
  AUTH_002: 'Your session has ended. Sign in again.',
  AUTH_003: 'Your role doesn’t allow this. Ask an owner or admin of your organisation.',
  AUTH_004: 'Please confirm your e-mail first. Open the link in the mail we sent you.',
  AUTH_005: 'This account is disabled. Ask an owner or admin of your organisation.',

  ORG_001: 'We couldn’t find this organisation. You may no longer be a member of it.',
  ORG_002: 'This person is already a member. You can change their role instead.',
  ORG_003:
    'This invitation no longer works. It may have expired, been used, or be meant for another e-mail address.',
  ORG_004: 'An organisation needs an owner. Transfer the ownership first.',
  ORG_005: ({ field }) => {
    if (field === 'name') return 'Please choose a name of 1 to 120 characters.';
    if (field === 'country') return 'Please choose a country from the list.';
    if (field === 'time_zone') return 'Please choose a time zone from the list.';
    return 'Check the organisation’s name, country and time zone.';
  },
  ORG_006: 'That person is no longer a member. The list has been refreshed.',
  ORG_007: 'That role doesn’t exist. Choose one from the list.',
  ORG_008: 'That e-mail address doesn’t look right. Please check it.',

  CONTACT_001: 'We couldn’t find this contact. It may have been deleted.',
  CONTACT_002: 'Another contact already has this phone number.',
  CONTACT_003: 'That phone number isn’t valid. Include the country code, like +60 12-345 6789.',
  CONTACT_004: 'This contact is in the trash. Restore it first.',
  CONTACT_005: 'Some rows of the import aren’t valid. Correct them and try again.',
  CONTACT_006: 'Someone else just changed this contact. Look at their change, then save again.',
  CONTACT_007: ({ field }) => {
    const name = text(field);
    return name
      ? `Please check the ${contactFields[name] ?? name.replaceAll('_', ' ')}.`
      : 'One of the fields isn’t valid. Please check them.';
  },
  CONTACT_008: 'This person hasn’t agreed to marketing. Ask them first and record their consent.',

  CONTACT_009: 'These two contacts can’t be merged. Choose two different ones, neither in the trash.',
  CONTACT_010: 'This person’s data has been erased for good.',
  CONTACT_011: 'Type ERASE to confirm. This can’t be undone.',
  CONTACT_012: 'That selection of contacts isn’t valid. Reload the list and select again.',
  FIELD_001: 'That custom field no longer exists. Reload the page.',
  FIELD_002: 'You’ve reached the limit of 100 custom fields. Archive one you no longer use.',
  FIELD_003: 'That custom field isn’t valid. Check its name, type and options.',
  FIELD_004: 'There’s already a custom field with this name. Choose another.',
  JOB_001: 'That job no longer exists. Reload the page.',
  JOB_002: 'That isn’t possible any more: the job has moved on. Reload the page.',
  JOB_003: 'We couldn’t read that file. Upload a CSV or XLSX file and try again.',
  JOB_004: 'The columns aren’t matched correctly. Check the ones marked and try again.',
  JOB_005: 'Several jobs are already running. Wait until one has finished.',
  SEGMENT_001: 'That segment no longer exists. Reload the list.',
  SEGMENT_002: 'Some rules aren’t complete. Check the ones marked.',
  SEGMENT_003: 'There’s already a segment with this name. Choose another.',
  SEGMENT_004: 'A segment can’t contain itself, not even through another segment.',
  SEGMENT_005: 'This segment is in use. Change what uses it first.',
  SEGMENT_006: 'Somebody else changed this segment meanwhile. Look at their version and try again.',
  SEGMENT_007: 'That isn’t possible for this kind of segment.',
  SEGMENT_008: 'You’ve reached the limit of 200 segments. Delete one you no longer use.',
  TAG_001: 'That tag no longer exists.',
  TAG_002: 'You have 50 tags, which is the most. Delete one you no longer use.',
  TAG_003: 'There is already a tag with this name.',
  TAG_004: 'Tags need a name of 1 to 50 characters and a colour.',

  CONVERSATION_001: 'We couldn’t find this conversation. It may have been deleted.',
  CONVERSATION_002: 'This person can’t answer customers. Choose an owner, admin or agent.',
  CONVERSATION_003: 'Choose a time in the future, at most a year ahead.',

  MESSAGE_001: 'We couldn’t find this message.',
  MESSAGE_002: ({ limit }) =>
    `A message needs between 1 and ${typeof limit === 'number' ? limit.toLocaleString() : '4,096'} characters.`,
  MESSAGE_003: 'WhatsApp doesn’t support this kind of message.',
  MESSAGE_004: 'This message can’t be sent again. Only a failed one can.',
  MESSAGE_005: 'This message got mixed up with another one. Please send it again.',

  WA_001: 'WhatsApp refused this. Please try again later.',
  WA_002: 'Meta hasn’t approved this template. Choose an approved one.',
  WA_003: 'Your WhatsApp account has reached its messaging limit. It frees up within 24 hours.',
  WA_004: 'This number isn’t on WhatsApp.',
  WA_005: 'The 24-hour window has closed. Send a template to write to this customer again.',
  WA_006: 'Your WhatsApp number isn’t connected. Connect it in Settings.',
  WA_007: 'WhatsApp has limited sending because of the number’s quality rating.',
  WA_008: 'We don’t know yet whether this was sent. We’re waiting for WhatsApp, so that it isn’t sent twice.',
  WA_009: 'This number is already connected to an organisation. Disconnect it there first.',
  WA_010: 'Those WhatsApp details don’t look right. Copy the ids and the token from Meta again.',

  CAMPAIGN_001: 'We couldn’t find this campaign.',
  CAMPAIGN_002: 'Nobody in this audience can receive the campaign: they need a number and to have opted in.',
  CAMPAIGN_003: 'This campaign has been sent and can’t change. Duplicate it instead.',
  CAMPAIGN_004: 'A campaign needs an approved template.',
  CAMPAIGN_005: 'The campaign has moved on since you opened it. Reload to see where it is.',
  CAMPAIGN_006: 'A few things are missing before this campaign can be sent.',
  CAMPAIGN_007: 'Someone else just changed this campaign. Their version is shown; add your change again.',
  CAMPAIGN_008: 'That time has passed. Choose a later one, or send now.',
  CAMPAIGN_009: 'Something in this campaign isn’t right yet. Look at the marked fields.',

  FLOW_001: 'We couldn’t find this flow.',
  FLOW_002: 'This flow has steps that need attention before it can run.',
  FLOW_003: 'The flow stopped with an error. Its log shows the step.',
  FLOW_004: '50 flows are active, which is the most. Turn one off first.',
  FLOW_005: 'This contact is already in this flow.',

  TEMPLATE_001: 'We couldn’t find this template.',
  TEMPLATE_002: ({ rejection_reason }) => {
    const reason = text(rejection_reason);
    return reason
      ? `Meta rejected this template: ${reason}`
      : 'Meta rejected this template. Edit it and submit again.';
  },
  TEMPLATE_003: 'Meta is still reviewing this template. You can use it once it’s approved.',
  TEMPLATE_004: 'This template needs a few corrections. Look at the marked fields.',
  TEMPLATE_005: 'You already have a template with this name and language.',
  TEMPLATE_006: 'The template has moved on since you opened it. Reload to see where it is.',
  TEMPLATE_007: 'Meta allows one edit a day and ten a month. Please try again later.',
  TEMPLATE_008: 'A campaign still needs this template. Stop or delete that first.',
  TEMPLATE_009: 'Fill in every value of the template first.',
  TEMPLATE_010: 'Someone else just changed this template. Their version is shown; add your change again.',

  OPPORTUNITY_001: 'We couldn’t find this sales opportunity.',
  OPPORTUNITY_002: 'Something about this sales opportunity isn’t right. Check the amount and the currency.',

  LINK_001: 'This link isn’t known to us.',

  CONVERSION_001: 'The signature of that callback didn’t match.',
  CONVERSION_002: 'That conversion is too old or was already recorded.',

  REQUEST_001: 'Something in that request was missing or not valid. Reload the page and try again.',
};
