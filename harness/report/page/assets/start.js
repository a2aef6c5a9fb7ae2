// The page of a run that is over: what it shows is in the page.
const opened = new Map();

function journalInPage(id) {
  if (!opened.has(id)) {
    if (opened.size > 3) opened.delete(opened.keys().next().value);
    opened.set(id, unpack('journal-' + id).then(journalOf));
  }
  return opened.get(id);
}

try {
  openPage({run: JSON.parse(await unpack('run')), journal: journalInPage});
} catch (error) {
  document.getElementById('head').append(make('p', {}, 'The page cannot be shown: ' + error));
  throw error;
}
