// What we use of Node beyond what browsers have, without a package for it.
declare module "node:os" {
  export function hostname(): string;
}
