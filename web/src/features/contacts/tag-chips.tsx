import { Badge, ColorSwatch, Group } from '@mantine/core';
import type { Tag } from './model';

/** The colour is a dot beside the name: free-coloured chips could not promise readable text. */
export function TagChip({ tag }: { tag: Tag }) {
  return (
    <Badge
      variant="light"
      color="gray"
      tt="none"
      title={tag.name}
      style={{ maxWidth: 180, minWidth: 0, flexShrink: 1 }}
      leftSection={<ColorSwatch color={tag.color} size={8} withShadow={false} aria-hidden />}
    >
      {tag.name}
    </Badge>
  );
}

/** `most` keeps a row one line high; the rest is counted and named on hover. */
export function TagChips({ tags, most = tags.length }: { tags: Tag[]; most?: number }) {
  if (tags.length === 0) return null;
  const rest = tags.slice(most);
  return (
    <Group
      gap={4}
      miw={Math.min(tags.length, most) > 1 ? 170 : undefined}
      wrap={rest.length > 0 || most < tags.length ? 'nowrap' : 'wrap'}
    >
      {tags.slice(0, most).map((tag) => (
        <TagChip key={tag.id} tag={tag} />
      ))}
      {rest.length > 0 && (
        <Badge variant="light" color="gray" title={rest.map((tag) => tag.name).join(', ')}>
          +{rest.length}
        </Badge>
      )}
    </Group>
  );
}
