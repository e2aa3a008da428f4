/** Unlike any other on this machine since its start: no other process has this id at this time. */
export function requestId(): string {
  return `${process.pid}-${process.hrtime.bigint()}`;
}
