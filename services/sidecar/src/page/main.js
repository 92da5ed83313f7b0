import { connectionsSection } from './connections.js';
import { byId, setAttribute, setText } from './dom.js';
import { exchangesSection } from './exchanges.js';
import { fleetSection } from './fleet.js';
import { duration } from './format.js';
import { Live } from './live.js';
import { logSection } from './log.js';
import { notLiveSection } from './not-live.js';
import { outputsSection } from './outputs.js';
import { stateSection } from './state.js';
import { timelineSection } from './timeline.js';

/** States in which what the ingestor said last is what it is now. */
const ANSWERING = ['starting', 'up', 'draining', 'restarted'];

const sections = [
  stateSection(),
  exchangesSection(),
  outputsSection(),
  connectionsSection(),
  notLiveSection(),
  timelineSection(),
  fleetSection(),
  logSection(),
];
const link = byId('link');
const announcement = byId('announcement');

new Live(
  (snapshot) => {
    const isKnown = ANSWERING.includes(snapshot.status.ingestor.state);
    setAttribute(document.body, 'data-known', String(isKnown));
    byId('logout').hidden = !snapshot.hasLogin;
    for (const show of sections) show(snapshot, isKnown);
  },
  (ageMs, isLost) => {
    setAttribute(document.body, 'data-lost', String(isLost));
    const trouble = ageMs === null ? 'No connection to the sidecar yet' : 'Connection to the sidecar is lost';
    const age = ageMs === null ? '' : `: data is ${duration(ageMs)} old`;
    setText(link, isLost ? `${trouble}${age}. Trying again…` : ageMs === null ? 'Connecting…' : 'Live');
    // Without the age: that is read out once, not every second.
    setText(announcement, isLost ? trouble : '');
  },
).start();
