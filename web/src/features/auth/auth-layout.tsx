import { Box, Center, Group, Paper, Text, Title } from '@mantine/core';
import { Outlet } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Logo } from '@/components/logo';
import { usePageTitle } from '@/components/page-title';
import { ThemeButton } from '@/components/theme-button';
import classes from './auth.module.css';

export function AuthLayout() {
  return (
    <Box className={classes.page}>
      <Group component="header" justify="space-between" px={{ base: 'md', sm: 'xl' }} h={80}>
        <Group gap="sm">
          <Logo />
          <Text fw={700} size="xl">
            OctoPush
          </Text>
        </Group>
        <ThemeButton />
      </Group>
      <Center component="main" px="md" pb={64} pt={{ base: 8, sm: 40 }}>
        <Outlet />
      </Center>
    </Box>
  );
}

interface AuthCardProps {
  title: string;
  subtitle?: ReactNode;
  children: ReactNode;
  footer?: ReactNode;
}

export function AuthCard({ title, subtitle, children, footer }: AuthCardProps) {
  usePageTitle(title);
  return (
    <Box w="100%" maw={440}>
      <Paper p={{ base: 'lg', sm: 32 }} radius="lg" className={classes.card}>
        <Title order={1} fz={26} mb={subtitle ? 4 : 'md'}>
          {title}
        </Title>
        {subtitle && (
          <Text c="dimmed" mb="lg" component="div">
            {subtitle}
          </Text>
        )}
        {children}
      </Paper>
      {footer && (
        <Text ta="center" mt="lg" c="dimmed" component="div">
          {footer}
        </Text>
      )}
    </Box>
  );
}
