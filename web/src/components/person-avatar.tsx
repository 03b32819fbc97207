import { Avatar, type AvatarProps } from '@mantine/core';
import { IconUser } from '@tabler/icons-react';
import { initials } from './initials';

interface PersonAvatarProps extends AvatarProps {
  name: string;
  src?: string | null;
}

/** A person's picture, else their initials, else a silhouette. Decorative unless `alt` is given: the name stands beside it. */
export function PersonAvatar({ name, src, alt = '', size, ...props }: PersonAvatarProps) {
  const letters = initials(name);
  return (
    <Avatar src={src} alt={alt} size={size} {...props}>
      {letters || <IconUser size="60%" stroke={1.6} aria-hidden />}
    </Avatar>
  );
}
