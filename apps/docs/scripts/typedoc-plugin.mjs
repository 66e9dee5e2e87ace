// For typedoc: a package's module has the package's name, not that of the folder its index lies in; members that a class only
// inherits stand with the class that has them; and `{@link X}` finds X in whatever package it is.

/** @param {import("typedoc").Application} app */
export function load(app) {
  app.converter.on("resolveBegin", ({ project }) => {
    for (const module of project.children ?? []) module.name = `@nn/${module.name.split("/")[0]}`;
  });
  app.converter.on(
    "resolveEnd",
    ({ project }) => {
      const inherited = Object.values(project.reflections).filter(
        (r) => r.isDeclaration() && r.inheritedFrom && r.parent?.isDeclaration(),
      );
      for (const r of inherited) project.removeReflection(r);
    },
    -50, // after typedoc knows what is inherited, before it groups members
  );
  app.converter.addUnknownSymbolResolver(({ symbolReference }, from) => {
    const name = symbolReference?.path?.map(({ path }) => path).join(".");
    if (!name) return undefined;
    for (const module of from.project.children ?? []) {
      const target = module.children?.find((child) => child.name === name);
      if (target) return target;
    }
    return undefined;
  });
}
