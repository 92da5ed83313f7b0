// Runs before the page is drawn, so that the chosen theme never flashes up late. Without a choice the theme is the
// system's own (page.css, color-scheme).
(() => {
  const KEY = 'tickline-theme';
  const read = () => {
    try {
      return localStorage.getItem(KEY) ?? 'auto';
    } catch {
      return 'auto';
    }
  };
  document.documentElement.dataset.theme = read();
  document.addEventListener('DOMContentLoaded', () => {
    const choice = document.getElementById('theme');
    if (!(choice instanceof HTMLSelectElement)) return;
    choice.value = read();
    choice.addEventListener('change', () => {
      document.documentElement.dataset.theme = choice.value;
      try {
        localStorage.setItem(KEY, choice.value);
      } catch {
        // Where nothing may be kept, the choice holds for this page.
      }
    });
  });
})();
