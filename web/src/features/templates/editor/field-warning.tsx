import { Text } from '@mantine/core';
import { IconBulb } from '@tabler/icons-react';
import classes from './editor.module.css';

/** Advice under a field: it may be sent all the same. */
export function FieldWarning({ children }: { children: string | undefined }) {
  if (!children) return null;
  return (
    <Text size="sm" className={classes.warning}>
      <IconBulb size={16} aria-hidden />
      <span>{children}</span>
    </Text>
  );
}
