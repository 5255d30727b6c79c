/** `render`: what is written above the rendered text, and what is said about its file. */
export const render = {
  'render.made-by': 'Made by: {command}',
  'render.docker-run': 'The container of {name}, as up --backend docker makes it. Run this with a POSIX shell.',
  'render.docker-run-several': 'The containers of {name}, as up --backend docker makes them. Run this with a POSIX shell.',
  'render.secrets':
    'The shell that runs this gives the values of {names}, and docker inspect shows them; up hands them over in a private file instead.',
  'render.owner': 'The engine runs as {user}, who must be able to write {directories}: chown {user} after they are made.',
  'render.cdi': 'The command line of Docker knows GPUs by CDI from version 25 on.',
  'render.files': '{path} must be there: qwen-deploy up writes it.',
  'render.unkept': 'Nobody watches it and nobody restarts it: qwen-deploy up does.',
  'render.written': '{path} was written.',
  'render.unchanged': '{path} is as it would be written.',
  'render.missing': '{path} is not there.',
  'render.differs': '{path} is not as it would be written:',
  'render.line': '  {line}',

  'commands.render': 'a profile as the files of other tools; starts nothing',
  'commands.render.format': 'docker-run: the line that makes the same container by hand',
  'commands.render.out': 'write it into this file',
  'commands.render.check': 'write nothing: exit with 10 unless the file of --out is as it would be written',
  'commands.render.force': 'write over a file that render has not written',
  'commands.render.no-format': 'Say what to render: --format {formats}.',
  'commands.render.no-out': '{option} is for the file of --out FILE.',
} as const;
