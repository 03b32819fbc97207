export type Role = 'owner' | 'admin' | 'campaign_manager' | 'agent' | 'viewer';

export type Permission =
  | 'contacts.write'
  | 'contacts.delete'
  | 'contacts.trash'
  | 'contacts.bulk'
  | 'inbox.answer'
  | 'campaigns.manage'
  | 'tags.manage'
  | 'settings.manage'
  | 'organization.own';

/** Mirrors the database's `private.role_permissions`, which decides; this only spares people buttons that would be refused. */
const granted: Record<Role, Permission[]> = {
  owner: [
    'contacts.write',
    'contacts.delete',
    'contacts.trash',
    'contacts.bulk',
    'inbox.answer',
    'campaigns.manage',
    'tags.manage',
    'settings.manage',
    'organization.own',
  ],
  admin: [
    'contacts.write',
    'contacts.delete',
    'contacts.trash',
    'contacts.bulk',
    'inbox.answer',
    'campaigns.manage',
    'tags.manage',
    'settings.manage',
  ],
  campaign_manager: ['contacts.write', 'contacts.delete', 'contacts.bulk', 'campaigns.manage', 'tags.manage'],
  agent: ['contacts.write', 'inbox.answer'],
  viewer: [],
};

export const roleNames: Record<Role, string> = {
  owner: 'Owner',
  admin: 'Admin',
  campaign_manager: 'Campaign manager',
  agent: 'Agent',
  viewer: 'Viewer',
};

export const roleHints: Record<Role, string> = {
  owner: 'Everything, including the organisation itself',
  admin: 'Everything except deleting the organisation',
  campaign_manager: 'Contacts, templates, segments, campaigns and flows',
  agent: 'Answers customers and edits contacts',
  viewer: 'Sees everything, changes nothing',
};

const isRole = (value: string): value is Role => value in granted;

export const asRole = (value: string): Role => (isRole(value) ? value : 'viewer');

export const may = (role: Role, permission: Permission): boolean => granted[role].includes(permission);
