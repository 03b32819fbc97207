import '@mantine/core/styles.css';
import './theme/global.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { startAuth } from '@/features/auth/session';
import { loadConfig } from '@/lib/config';
import { connectBackend } from '@/lib/supabase';
import { App } from './app';
import { StartProblem } from './start-problem';

const element = document.getElementById('root');
if (!element) throw new Error('index.html has no #root');
const page = createRoot(element);

async function start() {
  connectBackend(await loadConfig());
  await startAuth();
  page.render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}

start().catch(() => page.render(<StartProblem />));
