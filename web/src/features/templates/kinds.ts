export const statuses = ['draft', 'pending', 'approved', 'rejected', 'disabled'] as const;
export const categories = ['marketing', 'utility', 'authentication'] as const;
export type Status = (typeof statuses)[number];
export type Category = (typeof categories)[number];
