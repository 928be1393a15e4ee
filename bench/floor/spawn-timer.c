/*
 * Runs programs and says how long each took, from posix_spawn to the return of wait: as a shell would start them, by
 * vfork, so that the size of the benchmark's own process does not count.
 *
 * One request a line on stdin: the program and its arguments, separated by the byte 0x1f. One JSON line on stdout:
 *   {"us":T,"status":S}    S is the exit status, or 128 + the signal
 * The program's stdin and stdout are /dev/null, its stderr is this program's.
 *
 * Build: cc -O2 -Wall -Wextra -o spawn-timer spawn-timer.c
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

int main(void) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);

  char *line = NULL;
  size_t size = 0;
  ssize_t length;
  while ((length = getline(&line, &size, stdin)) > 0) {
    if (line[length - 1] == '\n') line[length - 1] = 0;
    char *words[128];
    int count = 0;
    for (char *rest = line, *word; count < 127 && (word = strsep(&rest, "\x1f"));) words[count++] = word;
    words[count] = NULL;

    pid_t pid;
    int status;
    double start = now_us();
    int error = posix_spawnp(&pid, words[0], &files, NULL, words, environ);
    if (error == 0) waitpid(pid, &status, 0);
    double end = now_us();
    if (error != 0) {
      fprintf(stderr, "spawn-timer: %s: %s\n", words[0], strerror(error));
      status = 127 << 8;
    }
    printf("{\"us\":%.1f,\"status\":%d}\n", end - start,
           WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    fflush(stdout);
  }
  free(line);
  return 0;
}
