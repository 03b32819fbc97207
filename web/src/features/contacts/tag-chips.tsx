import { Badge, ColorSwatch, Group } from '@mantine/core';
import type { ContactRow } from './queries';

/** The colour is a dot beside the name: free-coloured chips could not promise readable text. */
export function TagChips({ contact }: { contact: Pick<ContactRow, 'contact_tags'> }) {
  const tags = contact.contact_tags.flatMap((each) => each.tags ?? []);
  if (tags.length === 0) return null;
  return (
    <Group gap={4}>
      {tags.map((tag) => (
        <Badge
          key={tag.id}
          variant="light"
          color="gray"
          tt="none"
          leftSection={<ColorSwatch color={tag.color} size={8} withShadow={false} aria-hidden />}
        >
          {tag.name}
        </Badge>
      ))}
    </Group>
  );
}
